!> Shortwave of lakes: albedo of water, ice and snow, and where the light is absorbed.
!>
!> Albedo of water and melting ice: CLM Technical Note, section 3.2 and equation 12.7 (Subin et al. 2012). Snow on
!> ice: the scheme of CCSM3's sea ice, Briegleb et al. (2004), NCAR/TN-463+STR, section 3: cold and melting snow, and
!> a snow cover that grows with depth. Near infrared light is absorbed at the surface; visible light follows Beer's law
!> in open water and stays in the top layer of ice, all at the surface of snow.
module pl_lake_radiation
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: freezing_point
   use pl_kinds, only: rk
   use pl_lake_chunk, only: lake_chunk_type, lake_layers, snow_density
   use pl_land_chunk, only: nband, visible, weather_chunk_type
   implicit none (type, external)
   private
   public :: lake_radiation, snow_cover

   real(rk), parameter :: water_diffuse = 0.10_rk        !! albedo of water and of melting ice [1]
   real(rk), parameter :: water_direct = 0.05_rk         !! numerator of the albedo for the beam [1]
   real(rk), parameter :: water_offset = 0.15_rk         !! in its denominator [1]
   real(rk), parameter :: lowest_sun = 0.001_rk          !! cosine of the zenith angle, at least [1]
   real(rk), parameter :: cold_ice(nband) = [0.60_rk, 0.40_rk]  !! [1]
   real(rk), parameter :: ice_decay = 95.0_rk            !! of the albedo of ice towards the melting point [1]
   real(rk), parameter :: cold_snow(nband) = [0.96_rk, 0.68_rk] !! [1]
   real(rk), parameter :: melt_loss(nband) = [0.10_rk, 0.15_rk] !! of snow at the melting point [1]
   real(rk), parameter :: melt_range = 1.0_rk            !! below the melting point, in which it sets in [K]
   real(rk), parameter :: half_cover = 0.02_rk           !! depth of snow that covers half of the ice [m]

contains

   !> Share of the ice that snow covers.
   elemental real(rk) function snow_cover(snow)
      real(rk), intent(in) :: snow !! [kg m-2]
      snow_cover = snow/(snow + snow_density*half_cover)
   end function snow_cover

   !> Reflected light, light absorbed by the skin and by each layer; they add up to what comes in.
   pure subroutine lake_radiation(weather, lake, reflected, skin, absorbed)
      type(weather_chunk_type), intent(in) :: weather    !! with derived members
      type(lake_chunk_type), intent(in) :: lake
      real(rk), intent(out) :: reflected(w)              !! [W m-2]
      real(rk), intent(out) :: skin(w)                   !! absorbed at the surface [W m-2]
      real(rk), intent(out) :: absorbed(w, lake_layers)  !! [W m-2]
      real(rk) :: body(w) ! visible light that enters water or ice [W m-2]
      real(rk) :: cover, decay, direct, diffuse, ice_albedo, melting, net, snow_albedo, up
      logical :: is_frozen
      integer :: band, i
      do i = 1, w
         reflected(i) = 0.0_rk
         skin(i) = 0.0_rk
      end do
      do band = 1, nband
         do i = 1, w
            is_frozen = lake%ice(i, 1) > 0.0_rk
            decay = exp(-ice_decay*max(freezing_point - lake%surface_temperature(i), 0.0_rk)/freezing_point)
            ice_albedo = cold_ice(band)*(1.0_rk - decay) + water_diffuse*decay
            melting = min(max(1.0_rk - (freezing_point - lake%surface_temperature(i))/melt_range, 0.0_rk), 1.0_rk)
            snow_albedo = cold_snow(band) - melt_loss(band)*melting
            cover = snow_cover(lake%snow(i))
            ice_albedo = ice_albedo + cover*(snow_albedo - ice_albedo)
            direct = water_direct/(max(weather%cosine_zenith(i), lowest_sun) + water_offset)
            direct = weather%shortwave_direct(i, band)*merge(ice_albedo, direct, is_frozen)
            diffuse = weather%shortwave_diffuse(i, band)*merge(ice_albedo, water_diffuse, is_frozen)
            up = direct + diffuse
            net = weather%shortwave_direct(i, band) + weather%shortwave_diffuse(i, band) - up
            reflected(i) = reflected(i) + up
            if (band == visible) then
               body(i) = merge((1.0_rk - cover)*net, net, is_frozen)
               skin(i) = skin(i) + net - body(i)
            else
               skin(i) = skin(i) + net
            end if
         end do
      end do
      call share_light(lake, body, absorbed)
   end subroutine lake_radiation

   !> Beer's law in open water, all in the top layer of ice; the bottom layer and its ground take what reaches them.
   pure subroutine share_light(lake, body, absorbed)
      type(lake_chunk_type), intent(in) :: lake
      real(rk), intent(in) :: body(w)                   !! [W m-2]
      real(rk), intent(out) :: absorbed(w, lake_layers) !! [W m-2]
      real(rk), dimension(w) :: bottom, light ! depth of the layer's lower edge [m], light that reaches it [W m-2]
      real(rk) :: below
      integer :: i, k
      do i = 1, w
         bottom(i) = 0.0_rk
         light(i) = body(i)
      end do
      do k = 1, lake_layers - 1
         do i = 1, w
            bottom(i) = bottom(i) + lake%thickness(i, k)
            below = body(i)*merge(0.0_rk, exp(-lake%extinction(i)*bottom(i)), lake%ice(i, 1) > 0.0_rk)
            absorbed(i, k) = light(i) - below
            light(i) = below
         end do
      end do
      do i = 1, w
         absorbed(i, lake_layers) = light(i)
      end do
   end subroutine share_light

end module pl_lake_radiation
