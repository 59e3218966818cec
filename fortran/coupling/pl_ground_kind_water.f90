!> Water of grounds that are no soil: glacier ice and sealed urban ground.
!>
!> A glacier column keeps its thickness: water that melts in it and rain run off, ice from the body of the glacier takes
!> their place, sublimation takes from the body, and snow beyond a cap joins it. The ponded water of such a column is
!> the ice that the body has gained, negative where it lost some. Sealed ground holds a little water and sheds the rest.
module pl_ground_kind_water
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_water
   use pl_kinds, only: rk
   use pl_richards_column, only: richards_flux_type
   use pl_snow_chunk, only: snow_chunk_type, snow_mass
   implicit none (type, external)
   private
   public :: bury_snow, glacier_water, sealed_water

   real(rk), parameter :: snow_cap = 1000.0_rk     !! snow on a glacier; what is more has become ice [kg m-2]
   real(rk), parameter :: buried_share = 0.5_rk    !! of the lowest snow layer that turns into ice in a step, at most [1]

contains

   !> Snow beyond the cap joins the ice below it, from the lowest layer.
   pure subroutine bury_snow(snow, body)
      type(snow_chunk_type), intent(inout) :: snow
      real(rk), intent(inout) :: body(w) !! ice gained by the body of the glacier [kg m-2]
      real(rk) :: left, mass(w), taken
      integer :: i, k
      k = snow%nsnow
      call snow_mass(snow, mass)
      do i = 1, w
         taken = min(max(mass(i) - snow_cap, 0.0_rk), buried_share*snow%ice(i, k))
         left = snow%ice(i, k) - taken
         snow%thickness(i, k) = snow%thickness(i, k)*(left/merge(snow%ice(i, k), 1.0_rk, snow%ice(i, k) > 0.0_rk) &
                                                      + merge(0.0_rk, 1.0_rk, snow%ice(i, k) > 0.0_rk))
         snow%ice(i, k) = left
         body(i) = body(i) + taken
      end do
   end subroutine bury_snow

   !> Melt water and rain run off, the body of the glacier fills the column with ice and feeds sublimation.
   pure subroutine glacier_water(dt, nlayer, thickness, porosity, arriving, sublimation, water, ice, body, moved)
      real(rk), intent(in) :: dt                    !! time step [s]
      integer, intent(in) :: nlayer                 !! layers of ice [1]
      real(rk), intent(in) :: thickness(w, nlayer)  !! [m]
      real(rk), intent(in) :: porosity(w, nlayer)   !! volume of the ice as liquid water [m3 m-3]
      real(rk), intent(in) :: arriving(w)           !! rain and water from snow [kg m-2 s-1]
      real(rk), intent(in) :: sublimation(w)        !! from the ice; frost negative [kg m-2 s-1]
      real(rk), intent(inout) :: water(w, nlayer)   !! [m3 m-3]
      real(rk), intent(inout) :: ice(w, nlayer)     !! as volume of liquid water [m3 m-3]
      real(rk), intent(inout) :: body(w)            !! ice gained by the body of the glacier [kg m-2]
      type(richards_flux_type), intent(out) :: moved
      real(rk) :: gained, melted(w)
      integer :: i, k
      melted = 0.0_rk
      do k = 1, nlayer
         do i = 1, w
            gained = density_water*thickness(i, k)*(porosity(i, k) - ice(i, k))
            melted(i) = melted(i) + density_water*thickness(i, k)*water(i, k)
            body(i) = body(i) - gained
            water(i, k) = 0.0_rk
            ice(i, k) = porosity(i, k)
         end do
      end do
      do i = 1, w
         moved%surface_evaporation(i) = sublimation(i)
         moved%surface_runoff(i) = arriving(i) + melted(i)/dt
         body(i) = body(i) - dt*sublimation(i)
      end do
      call nothing_below(moved)
   end subroutine glacier_water

   !> A store that fills, evaporates and runs over.
   pure subroutine sealed_water(dt, largest, surface_input, held, moved)
      real(rk), intent(in) :: dt               !! time step [s]
      real(rk), intent(in) :: largest          !! water that the ground holds [kg m-2]
      real(rk), intent(in) :: surface_input(w) !! rain and water from snow less evaporation [kg m-2 s-1]
      real(rk), intent(inout) :: held(w)       !! [kg m-2]
      type(richards_flux_type), intent(out) :: moved
      real(rk) :: filled
      integer :: i
      do i = 1, w
         filled = held(i) + dt*max(surface_input(i), 0.0_rk)
         moved%surface_evaporation(i) = min(max(-surface_input(i), 0.0_rk), filled/dt)
         filled = max(filled - dt*moved%surface_evaporation(i), 0.0_rk)
         held(i) = min(filled, largest)
         moved%surface_runoff(i) = (filled - held(i))/dt
      end do
      call nothing_below(moved)
   end subroutine sealed_water

   !> No water moves within.
   pure subroutine nothing_below(moved)
      type(richards_flux_type), intent(inout) :: moved
      moved%infiltration = 0.0_rk
      moved%drainage = 0.0_rk
      moved%residual = 0.0_rk
      moved%substeps = 0.0_rk
      moved%iterations = 0.0_rk
   end subroutine nothing_below

end module pl_ground_kind_water
