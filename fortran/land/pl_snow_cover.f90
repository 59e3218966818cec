!> Share of the ground that snow covers.
module pl_snow_cover
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_water, pi
   use pl_kinds, only: rk
   use pl_snow_chunk, only: least_snow_mass, snow_chunk_type, snow_mass
   use pl_snow_options, only: cover_swenson_lawrence, snow_options_type
   implicit none (type, external)
   private
   public :: least_cover, perennial_mass, update_snow_cover

   !> Least cover of a pack: snow lies no thinner than one grain. The least pack of 1.0e-6 kg m-2, lying as deep as
   !> one grain of new snow (0.1 mm) at 100 kg m-3, covers this share of the ground.
   real(rk), parameter :: least_cover = 1.0e-4_rk
   !> A pack with more than this covers all ground: peaks of the season above it do not count (CLM5, int_snow_max).
   real(rk), parameter :: perennial_mass = 2000.0_rk !! [kg m-2]

contains

   !> Find the cover, then spread or gather the pack: layers keep their density, so that thickness times cover stays.
   !>
   !> Comes after add_snowfall and remove_trace, with the mass that fell since the last call.
   pure subroutine update_snow_cover(options, topography, new_snow, snow)
      type(snow_options_type), intent(in) :: options
      real(rk), intent(in) :: topography(w) !! standard deviation of elevation [m]
      real(rk), intent(in) :: new_snow(w)   !! fallen since the last call [kg m-2]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk) :: mass(w), cover(w), spread(w)
      integer :: i, k
      if (all(snow%top > snow%nsnow)) return
      call snow_mass(snow, mass)
      if (options%cover == cover_swenson_lawrence) then
         call cover_of_season(topography, new_snow, mass, snow%mass_maximum, cover)
      else
         call cover_of_depth(options, snow, mass, cover)
         snow%mass_maximum = max(snow%mass_maximum, mass)
      end if
      do i = 1, w
         cover(i) = min(max(cover(i), least_cover), 1.0_rk)
         spread(i) = merge(max(snow%cover(i), least_cover)/cover(i), 1.0_rk, snow%top(i) <= snow%nsnow)
         snow%cover(i) = merge(cover(i), 0.0_rk, snow%top(i) <= snow%nsnow)
         snow%mass_maximum(i) = merge(snow%mass_maximum(i), 0.0_rk, snow%top(i) <= snow%nsnow)
      end do
      do k = 1, snow%nsnow
         do i = 1, w
            snow%thickness(i, k) = spread(i)*snow%thickness(i, k)
         end do
      end do
   end subroutine update_snow_cover

   !> Cover by depth and density: tanh(z/(2.5 z0 (rho/100)**m)) with the depth averaged over all ground.
   !>
   !> Niu and Yang (2007), J. Geophys. Res. 112, D21101.
   pure subroutine cover_of_depth(options, snow, mass, cover)
      type(snow_options_type), intent(in) :: options
      type(snow_chunk_type), intent(in) :: snow
      real(rk), intent(in) :: mass(w)   !! of the pack [kg m-2]
      real(rk), intent(out) :: cover(w) !! before bounds [1]
      real(rk), parameter :: new_density = 100.0_rk ! [kg m-3]
      real(rk) :: depth(w), density
      integer :: i, k
      depth = 0.0_rk
      do k = 1, snow%nsnow
         do i = 1, w
            depth(i) = depth(i) + snow%thickness(i, k)*snow%cover(i)
         end do
      end do
      do i = 1, w
         ! not denser than water; lanes without snow compute with one snow flake's weight in a cubic metre
         density = mass(i)/max(depth(i), mass(i)/density_water, least_snow_mass/density_water)
         density = max(density, least_snow_mass)
         cover(i) = tanh(depth(i)/(2.5_rk*options%cover_roughness &
                                   *exp(options%cover_exponent*log(density/new_density))))
      end do
   end subroutine cover_of_depth

   !> Cover by the mass left of the season's largest; new snow covers bare ground at random.
   !>
   !> Swenson and Lawrence (2012), J. Geophys. Res. 117, D21107: melt f = 1 - (acos(2 W/W_max - 1)/pi)**N with
   !> N = 200/max(10, topography), snowfall f + tanh(0.1 P) (1 - f). After snowfall W_max is
   !> set so that the curve of melt passes through the mass and cover that are reached.
   pure subroutine cover_of_season(topography, new_snow, mass, mass_maximum, cover)
      real(rk), intent(in) :: topography(w)      !! standard deviation of elevation [m]
      real(rk), intent(in) :: new_snow(w)        !! [kg m-2]
      real(rk), intent(in) :: mass(w)            !! with the new snow [kg m-2]
      real(rk), intent(inout) :: mass_maximum(w) !! [kg m-2]
      real(rk), intent(out) :: cover(w)          !! [1]
      real(rk), parameter :: accumulation = 0.1_rk ! [m2 kg-1]
      real(rk) :: shape, before, peak, bare
      integer :: i
      do i = 1, w
         shape = 200.0_rk/max(10.0_rk, topography(i))
         before = max(mass(i) - new_snow(i), 0.0_rk)
         peak = merge(before, max(mass_maximum(i), before), before >= perennial_mass)
         bare = acos(2.0_rk*min(before/max(peak, least_snow_mass), 1.0_rk) - 1.0_rk)/pi
         bare = power(bare, shape)
         bare = bare*(1.0_rk - tanh(accumulation*new_snow(i)))
         bare = min(bare, 1.0_rk - least_cover)
         cover(i) = 1.0_rk - bare
         ! mass/((1 + cos(pi x))/2) with x = bare**(1/N)
         mass_maximum(i) = merge(mass(i)/cos(0.5_rk*pi*power(bare, 1.0_rk/shape))**2, peak, new_snow(i) > 0.0_rk)
      end do
   end subroutine cover_of_season

   !> base**exponent for a base in [0, 1], 0 for 0.
   elemental function power(base, exponent)
      real(rk), intent(in) :: base     !! [1]
      real(rk), intent(in) :: exponent !! positive [1]
      real(rk) :: power
      power = merge(exp(exponent*log(max(base, tiny(base)))), 0.0_rk, base > 0.0_rk)
   end function power

end module pl_snow_cover
