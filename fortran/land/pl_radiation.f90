!> Shortwave absorbed by one patch and by the ground below it; light of sunlit and shaded leaves.
!>
!> CLM Technical Note, sections 4.1 (eqs. 4.1-4.3) and 4.2; sunlit and shaded leaves as in Dai et al. (2004).
module pl_radiation
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_land_chunk, only: canopy_area_limit, ground_chunk_type, nband, plant_chunk_type, radiation_chunk_type, &
                            visible, weather_chunk_type
   use pl_two_stream, only: two_stream, two_stream_type
   implicit none (type, external)
   private
   public :: patch_radiation

   real(rk), parameter :: smallest_area = 1.0e-6_rk !! a class of leaves with less area gets no light [m2 m-2]

contains

   !> Absorbed and reflected shortwave of a patch; what is absorbed and reflected adds up to what comes in.
   !>
   !> A patch with less leaf and stem area than `canopy_area_limit` is bare ground. Light per leaf area is that of
   !> leaves and stems together: both intercept it alike, so leaves get the share of their area.
   pure subroutine patch_radiation(weather, plant, ground, radiation)
      type(weather_chunk_type), intent(in) :: weather !! with derived members
      type(plant_chunk_type), intent(in) :: plant
      type(ground_chunk_type), intent(in) :: ground
      type(radiation_chunk_type), intent(out) :: radiation
      type(two_stream_type) :: canopy
      real(rk) :: sunlit_visible(w), shaded_visible(w)
      call two_stream(plant, ground, weather%cosine_zenith, canopy)
      call absorb(weather, plant, ground, canopy, radiation, sunlit_visible, shaded_visible)
      call share_light(plant, canopy, sunlit_visible, shaded_visible, radiation)
   end subroutine patch_radiation

   !> Sums over bands of the shares of `canopy` times the incoming shortwave.
   pure subroutine absorb(weather, plant, ground, canopy, radiation, sunlit_visible, shaded_visible)
      type(weather_chunk_type), intent(in) :: weather
      type(plant_chunk_type), intent(in) :: plant
      type(ground_chunk_type), intent(in) :: ground
      type(two_stream_type), intent(in) :: canopy
      type(radiation_chunk_type), intent(out) :: radiation
      real(rk), intent(out) :: sunlit_visible(w) !! visible light absorbed by sunlit leaves and stems [W m-2]
      real(rk), intent(out) :: shaded_visible(w) !! visible light absorbed by shaded leaves and stems [W m-2]
      real(rk) :: direct, diffuse, absorbed, sunlit, below, reflected, bare, beam, scattered
      logical :: has_canopy
      integer :: band, i
      radiation%canopy_absorbed = 0.0_rk
      radiation%ground_absorbed = 0.0_rk
      radiation%reflected = 0.0_rk
      do band = 1, nband
         do i = 1, w
            has_canopy = plant%leaf_area(i) + plant%stem_area(i) >= canopy_area_limit
            direct = weather%shortwave_direct(i, band)
            diffuse = weather%shortwave_diffuse(i, band)
            absorbed = canopy%absorbed_direct(i, band)*direct + canopy%absorbed_diffuse(i, band)*diffuse
            sunlit = canopy%sunlit_direct(i, band)*direct + canopy%sunlit_diffuse(i, band)*diffuse
            beam = merge(canopy%beam_transmission(i), 1.0_rk, has_canopy)*direct
            scattered = merge(canopy%transmitted_direct(i, band)*direct + canopy%transmitted_diffuse(i, band)*diffuse, &
                              diffuse, has_canopy)
            below = (1.0_rk - ground%albedo_direct(i, band))*beam + (1.0_rk - ground%albedo_diffuse(i, band))*scattered
            radiation%snow_absorbed(i, band) = ground%snow_cover(i) &
                                               *((1.0_rk - ground%snow_albedo_direct(i, band))*beam &
                                                 + (1.0_rk - ground%snow_albedo_diffuse(i, band))*scattered)
            reflected = canopy%albedo_direct(i, band)*direct + canopy%albedo_diffuse(i, band)*diffuse
            absorbed = merge(absorbed, 0.0_rk, has_canopy)
            bare = ground%albedo_direct(i, band)*direct + ground%albedo_diffuse(i, band)*diffuse
            reflected = merge(reflected, bare, has_canopy)
            below = merge(below, direct + diffuse - reflected, has_canopy)
            radiation%canopy_absorbed(i) = radiation%canopy_absorbed(i) + absorbed
            radiation%ground_absorbed(i) = radiation%ground_absorbed(i) + below
            radiation%reflected(i) = radiation%reflected(i) + reflected
            if (band == visible) then
               sunlit_visible(i) = merge(sunlit, 0.0_rk, has_canopy)
               shaded_visible(i) = absorbed - sunlit_visible(i)
            end if
         end do
      end do
   end subroutine absorb

   !> Areas of sunlit and shaded leaves, and the visible light per area that each absorbs.
   pure subroutine share_light(plant, canopy, sunlit_visible, shaded_visible, radiation)
      type(plant_chunk_type), intent(in) :: plant
      type(two_stream_type), intent(in) :: canopy
      real(rk), intent(in) :: sunlit_visible(w) !! [W m-2]
      real(rk), intent(in) :: shaded_visible(w) !! [W m-2]
      type(radiation_chunk_type), intent(inout) :: radiation
      real(rk) :: area, sunlit, shaded, leaf_share
      logical :: has_canopy
      integer :: i
      do i = 1, w
         area = plant%leaf_area(i) + plant%stem_area(i)
         has_canopy = area >= canopy_area_limit
         sunlit = min(canopy%sunlit_area(i), area)
         shaded = area - sunlit
         leaf_share = merge(plant%leaf_area(i)/max(area, canopy_area_limit), 0.0_rk, has_canopy)
         radiation%sunlit_leaf_area(i) = sunlit*leaf_share
         radiation%shaded_leaf_area(i) = shaded*leaf_share
         radiation%sunlit_par(i) = merge(sunlit_visible(i)/max(sunlit, smallest_area), 0.0_rk, sunlit > smallest_area)
         radiation%shaded_par(i) = merge(shaded_visible(i)/max(shaded, smallest_area), 0.0_rk, shaded > smallest_area)
         radiation%extinction(i) = canopy%extinction(i)
         radiation%canopy_emissivity(i) = merge(1.0_rk - exp(-area), 0.0_rk, has_canopy)
      end do
   end subroutine share_light

end module pl_radiation
